#!/usr/bin/python3 -B
"""A task list of Evolution's data server, changed as Evolution changes it; one JSON order a line, one JSON answer a line.

Runs inside of `dbus-run-session`; evolution_peer.py URL USER PASSWORD. An order is [NAME, ARGUMENT...]; an answer
{"value": ...} or {"error": TEXT}.
"""
import datetime
import json
import sys
import time
import urllib.parse

import gi

gi.require_version("EDataServer", "1.2")
gi.require_version("ECal", "2.0")
gi.require_version("ICalGLib", "3.0")
from gi.repository import ECal, EDataServer, GLib, ICalGLib     # noqa: E402

CONNECT_S = 90
NO_WAIT = 0xffffffff
KIND = ICalGLib.PropertyKind


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")


class List:
    def __init__(self, url, user, password):
        parts = urllib.parse.urlsplit(url)
        self.registry = EDataServer.SourceRegistry.new_sync(None)
        source = EDataServer.Source.new(None, None)
        source.set_display_name("Tasks")
        source.set_parent("caldav-stub")
        source.get_extension(EDataServer.SOURCE_EXTENSION_TASK_LIST).set_backend_name("caldav")
        login = source.get_extension(EDataServer.SOURCE_EXTENSION_AUTHENTICATION)
        login.set_host(parts.hostname)
        login.set_port(parts.port)
        login.set_user(user)
        login.set_method("plain/password")
        source.get_extension(EDataServer.SOURCE_EXTENSION_WEBDAV_BACKEND).set_resource_path(parts.path)
        source.get_extension(EDataServer.SOURCE_EXTENSION_SECURITY).set_method("none")
        source.get_extension(EDataServer.SOURCE_EXTENSION_OFFLINE).set_stay_synchronized(True)
        source.get_extension(EDataServer.SOURCE_EXTENSION_REFRESH).set_enabled(False)
        self.registry.commit_source_sync(source, None)
        self.source = self.registry.ref_source(source.get_uid())
        self.client = ECal.Client.connect_sync(self.source, ECal.ClientSourceType.TASKS, NO_WAIT, None)
        login = EDataServer.NamedParameters.new()
        login.set("username", user)
        login.set("password", password)
        self.source.invoke_authenticate_sync(login, None)
        end = time.monotonic() + CONNECT_S
        while self.source.get_connection_status() != EDataServer.SourceConnectionStatus.CONNECTED:
            if time.monotonic() > end:
                raise TimeoutError("the data server does not connect")
            self.turn()

    @staticmethod
    def turn():
        while GLib.MainContext.default().iteration(False):
            pass
        time.sleep(0.05)

    def components(self):
        return self.client.get_object_list_sync("#t", None)[1]

    def refresh(self):
        """What is on the server now; the data server refreshes in the background and does not say when it has ended."""
        self.client.refresh_sync(None)

    def texts(self):
        return [component.as_ical_string() for component in self.components()]

    def of(self, subject):
        for component in self.components():
            if component.get_summary() == subject:
                return component
        raise LookupError(f"no task '{subject}'")

    def save(self, component):
        """As Evolution saves: LAST-MODIFIED and SEQUENCE move."""
        self.put(component, KIND.LASTMODIFIED_PROPERTY, "LAST-MODIFIED", now())
        component.set_sequence(component.get_sequence() + 1)
        self.client.modify_object_sync(component, ECal.ObjModType.ALL, 0, None)

    @staticmethod
    def drop(component, kind):
        found = component.get_first_property(kind)
        if found:
            component.remove_property(found)

    def put(self, component, kind, name, value, parameters=""):
        self.drop(component, kind)
        component.add_property(ICalGLib.Property.new_from_string(f"{name}{parameters}:{value}"))

    def done(self, subject):
        component = self.of(subject)
        self.put(component, KIND.COMPLETED_PROPERTY, "COMPLETED", now())
        self.put(component, KIND.PERCENTCOMPLETE_PROPERTY, "PERCENT-COMPLETE", "100")
        self.put(component, KIND.STATUS_PROPERTY, "STATUS", "COMPLETED")
        self.save(component)

    def undone(self, subject):
        component = self.of(subject)
        self.drop(component, KIND.COMPLETED_PROPERTY)
        self.drop(component, KIND.PERCENTCOMPLETE_PROPERTY)
        self.put(component, KIND.STATUS_PROPERTY, "STATUS", "NEEDS-ACTION")
        self.save(component)

    def percent(self, subject, number):
        component = self.of(subject)
        self.put(component, KIND.PERCENTCOMPLETE_PROPERTY, "PERCENT-COMPLETE", str(number))
        self.put(component, KIND.STATUS_PROPERTY, "STATUS", "IN-PROCESS")
        self.save(component)

    def due(self, subject, day):
        component = self.of(subject)
        self.put(component, KIND.DUE_PROPERTY, "DUE", day.replace("-", ""), ";VALUE=DATE")
        self.save(component)

    def note(self, subject, text):
        component = self.of(subject)
        component.set_description(text + "\n" + (component.get_description() or ""))
        self.save(component)

    def create(self, subject):
        component = ICalGLib.Component.new_from_string(
            f"BEGIN:VTODO\r\nUID:own-{time.time_ns()}\r\nDTSTAMP:{now()}\r\nSUMMARY:{subject}\r\nEND:VTODO\r\n")
        self.client.create_object_sync(component, 0, None)

    def delete(self, subject):
        self.client.remove_object_sync(self.of(subject).get_uid(), None, ECal.ObjModType.ALL, 0, None)


ORDERS = ("refresh", "texts", "done", "undone", "percent", "due", "note", "create", "delete")


def main():
    tasks = List(*sys.argv[1:4])
    print(json.dumps({"value": "ready"}), flush=True)
    for line in sys.stdin:
        name, *words = json.loads(line)
        try:
            if name not in ORDERS:
                raise LookupError(f"no such order: {name}")
            answer = {"value": getattr(tasks, name)(*words)}
            tasks.turn()
        except (GLib.Error, LookupError) as fault:
            answer = {"error": str(fault)}
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
