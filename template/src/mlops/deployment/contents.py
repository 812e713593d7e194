"""Run inside an image, by its own Python and with nothing else: prints what it holds, as JSON.

Python packages from their own metadata, of the environment and of the base; Debian's from dpkg.
"""

import json
import platform
import site
import sys
from importlib.metadata import PackageMetadata, distributions
from pathlib import Path

STATUS = Path("/var/lib/dpkg/status")


def python_packages() -> list[dict[str, str]]:
    base = f"{sys.base_prefix}/lib/python{platform.python_version().rpartition('.')[0]}"
    places = [*site.getsitepackages(), f"{base}/site-packages"]
    found = [each.metadata for each in distributions(path=list(dict.fromkeys(places)))]
    return sorted(map(described, found), key=lambda one: one["name"].lower())


def described(package: PackageMetadata) -> dict[str, str]:
    licence = package.get_all("License-Expression", [""])
    return {"name": package["Name"], "version": package["Version"], "licence": licence[0]}


def debian_packages() -> list[dict[str, str]]:
    """[{name, version, architecture}]; [] where dpkg did not install the base."""
    if not STATUS.exists():
        return []
    blocks = STATUS.read_text(encoding="utf-8").split("\n\n")
    told = [
        dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != " ")
        for block in blocks
    ]
    return [
        {name.lower(): each[name] for name in ("Package", "Version", "Architecture")}
        for each in told
        if each.get("Status") == "install ok installed"
    ]


if __name__ == "__main__":
    system = platform.freedesktop_os_release()
    release = {"name": system["ID"], "version": system.get("VERSION_ID", "")}
    found = {"python": python_packages(), "debian": debian_packages(), "system": release}
    print(json.dumps({**found, "interpreter": platform.python_version()}))
