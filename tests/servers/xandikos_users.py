#!/usr/bin/python3
"""Xandikos for several users: its own program knows only one.

    xandikos_users.py STORAGE SOCKET

Each request is Xandikos's own application's, with the user that the header X-Remote-User names as its principal; a user's
principal is made at the first request. What authenticates stands in front.
"""
import asyncio
import logging
import os
import sys

from aiohttp import web
from xandikos.web import XandikosApp, XandikosBackend


def main(storage, path):
    os.makedirs(storage, exist_ok=True)
    backend, apps = XandikosBackend(storage), {}

    async def answer(request):
        user = request.headers["X-Remote-User"]
        if user not in apps:
            principal = f"/{user}/"
            if os.path.isdir(os.path.join(storage, user)):
                backend._mark_as_principal(principal)
            else:
                backend.create_principal(principal, create_defaults=True)
            apps[user] = XandikosApp(backend, current_user_principal=principal)
        return await apps[user].aiohttp_handler(request, "/")

    logging.basicConfig(level=logging.WARNING)
    asyncio.set_event_loop(asyncio.new_event_loop())
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path_info:.*}", answer)
    web.run_app(app, path=path, print=None, access_log=None)


main(*sys.argv[1:])
