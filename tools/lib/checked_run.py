"""The end of each script that checks a platform with real phones: its options, its run, its report."""
import argparse
import json
import pathlib
import shutil

import demo as base


def main(name, World, programs):
    """Runs a `World` to its end, and ends with it everything that it started. 0: every check passed."""
    parser = argparse.ArgumentParser(prog=f"tools/lib/{name}.py")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--ports-from", metavar="N", type=int, default=24_000)
    options = parser.parse_args()
    base.use_ports_from(options.ports_from)
    for program in programs:
        if not shutil.which(program):
            raise SystemExit(f"{program} is not installed; tools/test installs it")
    world, failure = World(options), None
    try:
        world.run()
    except Exception as error:  # told below, after everything that runs has been ended
        failure = error
        world.check(f"the run came to its end ({type(error).__name__}: {error})", False)
    finally:
        statuses = world.stop()
        if failure is None:
            world.check("everything stopped cleanly", all(s == 0 for s in statuses.values()) and statuses)
    passed = sum(c["passed"] for c in world.checks)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"passed": passed, "total": len(world.checks), "checks": world.checks}, indent=2) + "\n")
    print(f"{name}: {passed} of {len(world.checks)} checks passed")
    return 0 if passed == len(world.checks) else 1
