#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks a trace against the rules of the Trace Event Format and of forkmill.

    check_trace.py TRACE [--steps decode,blur,encode] [--done N] [--died N] [--workers N] [--counters NAME,...]

Every event has what its phase wants; slices of a track lie beside or within each other; every track that is
used has a name; with --steps, every item that the writer wrote went through these steps, in order and each
after the one before, in its last attempt. --died N: as many deaths, each with a slice that ends there. Prints
a line of counts.
"""
import argparse
import collections
import json


def fail(text):
    raise SystemExit(f"check_trace: {text}")


def ns(microseconds):
    return round(microseconds * 1000)


def check_form(events):
    for event in events:
        for key, kind in (("name", str), ("ph", str), ("ts", (int, float)), ("pid", int), ("tid", int), ("args", dict)):
            if not isinstance(event.get(key), kind):
                fail(f"{key} missing or of the wrong type: {event}")
        if not event["name"] or event["ts"] < 0:
            fail(f"no name, or before the beginning: {event}")
        if event["ph"] == "X":
            if not isinstance(event.get("dur"), (int, float)) or event["dur"] < 0 or not event.get("cat"):
                fail(f"a slice without dur or cat: {event}")
        elif event["ph"] == "i":
            if event.get("s") != "t":
                fail(f"a moment without its scope: {event}")
        elif event["ph"] == "C":
            if not event["args"] or not all(isinstance(value, (int, float)) for value in event["args"].values()):
                fail(f"a counter without numbers: {event}")
        elif event["ph"] != "M":
            fail(f"unknown phase: {event}")


def check_tracks(events):
    names = {}
    for event in events:
        if event["ph"] == "M" and event["name"] == "thread_name":
            if event["tid"] in names:
                fail(f"track {event['tid']} is named twice")
            names[event["tid"]] = event["args"]["name"]
    for event in events:
        if event["tid"] not in names:
            fail(f"a track without a name: {event}")
    if len(set(names.values())) != len(names):
        fail(f"two tracks have one name: {names}")
    return names


def check_nesting(events):
    tracks = collections.defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            begin = ns(event["ts"])
            tracks[event["tid"]].append((begin, -(begin + ns(event["dur"])), event["name"]))
    for tid, slices in tracks.items():
        open_ends = []
        for begin, minus_end, name in sorted(slices):
            while open_ends and open_ends[-1] <= begin:
                open_ends.pop()
            if open_ends and -minus_end > open_ends[-1]:
                fail(f"track {tid}: {name} at {begin} ns overlaps the slice around it")
            open_ends.append(-minus_end)


def check_items(events, steps):
    done = {}
    for event in events:
        if event["name"] == "write" and event["ph"] == "X":
            if event["args"]["id"] in done:
                fail(f"written twice: {event}")
            done[event["args"]["id"]] = event
    for item, write in done.items():
        own = [e for e in events if e.get("cat") == "stage" and e["name"] != "rows" and e["args"].get("id") == item
               and e["args"]["attempt"] == write["args"]["attempt"]]
        own.sort(key=lambda event: event["ts"])
        # Finished items that a worker had not handed on when it died come round again, without blame.
        if len(own) > len(steps) and any(event["name"] == "died" for event in events):
            own = own[-len(steps):]
        if [event["name"] for event in own] != steps:
            fail(f"{write['args']['item']}: steps {[event['name'] for event in own]}")
        around = own + [write]
        for one, next_one in zip(around, around[1:]):
            if ns(one["ts"]) + ns(one["dur"]) > ns(next_one["ts"]):
                fail(f"{one} is not over when {next_one} begins")
        for event in own:
            if event["args"]["item"] != write["args"]["item"] or event["args"]["slot"] != write["args"]["slot"]:
                fail(f"not about the same item and slot: {event} and {write}")
    return done


def check_deaths(events):
    deaths = [event for event in events if event["ph"] == "i" and event["name"] == "died"]
    for death in deaths:
        if "stage" not in death["args"] or "item" not in death["args"] or not death["args"].get("reason"):
            fail(f"a death that does not say of what: {death}")
        slices = [e for e in events if e["ph"] == "X" and e.get("cat") == "death" and e["tid"] == death["tid"]
                  and e["name"] == death["args"]["stage"] and ns(e["ts"]) + ns(e["dur"]) == ns(death["ts"])]
        if len(slices) != 1:
            fail(f"{len(slices)} slices end with {death}")
    return deaths


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("trace")
    parser.add_argument("--steps")
    parser.add_argument("--done", type=int)
    parser.add_argument("--died", type=int)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--counters")
    wanted = parser.parse_args()
    with open(wanted.trace, encoding="utf-8") as file:
        events = json.load(file)
    if not isinstance(events, list):
        fail("no array of events")
    check_form(events)
    names = check_tracks(events)
    check_nesting(events)
    done = check_items(events, wanted.steps.split(",")) if wanted.steps else {}
    if wanted.done is not None and len(done) != wanted.done:
        fail(f"{len(done)} items written, {wanted.done} expected")
    deaths = check_deaths(events)
    if wanted.died is not None and len(deaths) != wanted.died:
        fail(f"{len(deaths)} deaths, {wanted.died} expected")
    workers = [name for name in names.values() if name.startswith("worker ")]
    if wanted.workers is not None and len(workers) != wanted.workers:
        fail(f"tracks of workers: {workers}")
    counters = {event["name"] for event in events if event["ph"] == "C"}
    for name in wanted.counters.split(",") if wanted.counters else []:
        if name not in counters:
            fail(f"no counter '{name}' among {sorted(counters)}")
    at_work = {event["tid"] for event in events if event.get("cat") == "stage"}
    print(f"events={len(events)} done={len(done)} deaths={len(deaths)} workers={len(workers)} at_work={len(at_work)} "
          f"rows={sum(event['name'] == 'rows' for event in events)}")


if __name__ == "__main__":
    main()
