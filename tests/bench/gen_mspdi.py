#!/usr/bin/python3
"""Writes a Project XML file of any size: gen_mspdi.py TASKS PEOPLE SEED > plan.xml

TASKS    tasks that are work; on top come a summary task and a milestone per phase of eight
PEOPLE   resources with an e-mail address, person00001@example.com and so on
SEED     the same three arguments give the same bytes

Each task has one assignment, one in ten has two, one in fifty is assigned to nobody (ResourceUID
-65535). The order of elements is that of Microsoft's schema.
"""

import datetime
import random
import sys
from xml.sax.saxutils import escape

PHASE = 8
FIRST = datetime.date(2026, 12, 1)
VERBS = ["Check", "Draw", "Order", "Prüfe", "Baue", "Σχεδίασε", "確認", "Проверить",
         "Install", "Write"]
THINGS = ["foundation", "wiring", "Türen", "windows & doors", "manual", "étage 3", "crane",
          "屋根", "допуски", "pump <2>"]
NAMES = ["Ana", "Jörg", "Mei", "Σοφία", "Олег", "Zoë", "Łukasz", "وليد", "Noah", "Ingrid"]


def element(indent, name, value):
    return "%s<%s>%s</%s>\n" % ("\t" * indent, name, escape(str(value)), name)


def elements(indent, pairs):
    return "".join(element(indent, name, value) for name, value in pairs)


def stamp(day, time):
    return day.isoformat() + "T" + time


def hours(minutes):
    return "PT%dH%dM0S" % divmod(minutes, 60)


class Plan:
    """Makes one task after the other and keeps what the assignments need."""

    def __init__(self, tasks, people, seed):
        self.random = random.Random(seed)
        self.tasks = tasks
        self.people = people
        self.rows = 0
        self.phase = 0
        self.work = []  # (uid, start, finish, minutes, percent, milestone)

    def task(self, name, level, number, start, days, percent, flags="", preds=()):
        self.rows += 1
        uid = self.rows
        finish = start + datetime.timedelta(days - 1 if days else 0)
        end = stamp(finish, "17:00:00" if days else "08:00:00")
        minutes = days * 480 if flags == "" else 0
        done = minutes * percent // 100
        text = "\t\t<Task>\n" + elements(3, [
            ("UID", uid), ("ID", uid), ("Name", name),
            ("Type", 1 if flags == "S" else 0), ("IsNull", 0),
            ("CreateDate", "2026-11-21T09:00:00"), ("WBS", number), ("OutlineNumber", number),
            ("OutlineLevel", level),
            ("Priority", self.random.choice([500, 500, 500, 500, 700, 1000, 200])),
            ("Start", stamp(start, "08:00:00")), ("Finish", end), ("Duration", hours(days * 480)),
            ("DurationFormat", 7), ("Work", hours(minutes)), ("ResumeValid", 0),
            ("EffortDriven", 0),
            ("Recurring", 0), ("OverAllocated", 0), ("Estimated", 0),
            ("Milestone", int(flags == "M")),
            ("Summary", int(flags == "S")), ("Critical", 0), ("IsSubproject", 0),
            ("IsSubprojectReadOnly", 0),
            ("ExternalTask", 0), ("EarlyStart", stamp(start, "08:00:00")), ("EarlyFinish", end),
            ("LateStart", stamp(start, "08:00:00")), ("LateFinish", end), ("StartVariance", 0),
            ("FinishVariance", 0), ("WorkVariance", "0.00"), ("FreeSlack", 0), ("TotalSlack", 0),
            ("FixedCost", 0), ("FixedCostAccrual", 3), ("PercentComplete", percent),
            ("PercentWorkComplete", percent), ("Cost", 0), ("OvertimeCost", 0),
            ("OvertimeWork", "PT0H0M0S")])
        if percent:
            text += element(3, "ActualStart", stamp(start, "08:00:00"))
        if percent == 100:
            text += element(3, "ActualFinish", end)
        text += elements(3, [
            ("ActualDuration", hours(done)), ("ActualCost", 0), ("ActualWork", hours(done)),
            ("RemainingDuration", hours(minutes - done)), ("RemainingWork", hours(minutes - done)),
            ("ConstraintType", 0), ("CalendarUID", -1)])
        if self.random.random() < 0.1:
            text += element(3, "Deadline", stamp(finish + datetime.timedelta(7), "17:00:00"))
        text += elements(3, [("LevelAssignments", 1), ("LevelingCanSplit", 1),
                             ("LevelingDelay", 0)])
        if self.random.random() < 0.2:
            text += element(3, "Notes", "See drawing %d.\nAsk before you change it." % uid)
        for pred in preds:
            text += "\t\t\t<PredecessorLink>\n" + elements(4, [
                ("PredecessorUID", pred), ("Type", 1), ("CrossProject", 0), ("LinkLag", 0),
                ("LagFormat", 7)]) + "\t\t\t</PredecessorLink>\n"
        if flags != "S":
            self.work.append((uid, start, finish, minutes, percent, flags == "M"))
        return text + "\t\t</Task>\n"

    def write_phase(self, out, count):
        self.phase += 1
        start = FIRST + datetime.timedelta(self.random.randrange(365))
        out.write(self.task("Phase %d" % self.phase, 1, str(self.phase), start, 0, 0, "S"))
        before = []
        for i in range(count):
            name = "%s %s" % (self.random.choice(VERBS), self.random.choice(THINGS))
            days = self.random.randint(1, 5)
            percent = self.random.choice([0, 0, 0, 25, 50, 100])
            number = "%d.%d" % (self.phase, i + 1)
            out.write(self.task(name, 2, number, start, days, percent, "", before[-1:]))
            before.append(self.rows)
            start += datetime.timedelta(days)
        number = "%d.%d" % (self.phase, count + 1)
        out.write(self.task("Phase %d done" % self.phase, 2, number, start, 0, 0, "M", before))

    def write_tasks(self, out):
        left = self.tasks
        while left > 0:
            self.write_phase(out, min(left, PHASE))
            left -= PHASE

    def write_resources(self, out):
        for i in range(1, self.people + 1):
            out.write("\t\t<Resource>\n" + elements(3, [
                ("UID", i), ("ID", i), ("Name", "%s %05d" % (NAMES[i % len(NAMES)], i)),
                ("Type", 1),
                ("IsNull", 0), ("Initials", "P"), ("EmailAddress", "person%05d@example.com" % i),
                ("MaxUnits", "1.00")]) + "\t\t</Resource>\n")

    def assignment(self, uid, person, row):
        task, start, finish, minutes, percent, milestone = row
        end = stamp(finish, "08:00:00" if milestone else "17:00:00")
        done = minutes * percent // 100
        text = "\t\t<Assignment>\n" + elements(3, [
            ("UID", uid), ("TaskUID", task), ("ResourceUID", person),
            ("PercentWorkComplete", percent),
            ("ActualCost", 0)])
        if percent == 100:
            text += element(3, "ActualFinish", end)
        if percent:
            text += element(3, "ActualStart", stamp(start, "08:00:00"))
        return text + elements(3, [
            ("ActualWork", hours(done)), ("Confirmed", 0), ("Cost", 0), ("CostRateTable", 0),
            ("Delay", 0),
            ("Finish", end), ("LevelingDelay", 0), ("Milestone", int(milestone)),
            ("Overallocated", 0),
            ("RegularWork", hours(minutes)), ("RemainingWork", hours(minutes - done)),
            ("Start", stamp(start, "08:00:00")), ("Units", 1), ("UpdateNeeded", 0),
            ("Work", hours(minutes)),
            ("WorkContour", 0)]) + "\t\t\t<TimephasedData>\n" + elements(4, [
                ("Type", 1), ("UID", uid), ("Start", stamp(start, "08:00:00")), ("Finish", end),
                ("Unit", 2),
                ("Value", hours(minutes - done))]) + "\t\t\t</TimephasedData>\n\t\t</Assignment>\n"

    def write_assignments(self, out):
        uid = 0
        for row in self.work:
            dice = self.random.random()
            if self.people == 0 or dice < 0.02:
                people = [-65535]
            else:
                wanted = 2 if dice > 0.9 and self.people > 1 else 1
                people = self.random.sample(range(1, self.people + 1), wanted)
            for person in people:
                uid += 1
                out.write(self.assignment(uid, person, row))


def main(arguments):
    if len(arguments) != 3 or not all(a.isdigit() for a in arguments):
        sys.stderr.write(__doc__)
        return 64
    plan = Plan(*(int(a) for a in arguments))
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", closefd=False)
    out.write('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n')
    out.write('<Project xmlns="http://schemas.microsoft.com/project">\n')
    out.write(elements(1, [
        ("SaveVersion", 12), ("Name", "generated-%s-%s-%s.xml" % tuple(arguments)),
        ("Title", "Generated %s %s %s" % tuple(arguments)), ("ScheduleFromStart", 1),
        ("CurrencyCode", "EUR")]))
    out.write("\t<Tasks>\n")
    plan.write_tasks(out)
    out.write("\t</Tasks>\n\t<Resources>\n")
    plan.write_resources(out)
    out.write("\t</Resources>\n\t<Assignments>\n")
    plan.write_assignments(out)
    out.write("\t</Assignments>\n</Project>\n")
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
