# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renew the pins: resolve each requirements/*.in that is an environment into the *.txt that is installed.

    .venv/bin/python tools/pins.py

Takes the newest releases there are, for every Python that the environment accepts.
"""

from __future__ import annotations

import subprocess
import venv

from environment import CHECKOUT, PROFILES, dotted

HEADER = """\
# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Written by `make pins` from {source}; change that file, not this one.

"""


def main() -> None:
    """Resolve with uv, which is installed on the side, since nothing else needs it."""
    workshop = CHECKOUT / "build" / "pins"
    venv.create(workshop, with_pip=True, clear=True)
    subprocess.run([workshop / "bin" / "pip", "install", "--quiet", "uv"], check=True)
    for profile in PROFILES.values():
        target = CHECKOUT / profile.requirements
        source = target.with_suffix(".in")
        options = [
            "--universal",
            "--python-version",
            dotted(min(profile.accepted)),
            "--no-header",
            "--no-annotate",
            "--quiet",
        ]
        pins = subprocess.run(
            [workshop / "bin" / "uv", "pip", "compile", *options, source], stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        target.write_text(HEADER.format(source=source.name) + pins, encoding="utf-8")
        print(f"{profile.requirements}: {len(pins.splitlines())} pins")


if __name__ == "__main__":
    main()
