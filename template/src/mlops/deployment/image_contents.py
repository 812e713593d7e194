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


def list_python_packages() -> list[dict[str, str]]:
    """List {name, version, licence} of each package, by name."""
    base = f"{sys.base_prefix}/lib/python{platform.python_version().rpartition('.')[0]}"
    folders = dict.fromkeys([*site.getsitepackages(), f"{base}/site-packages"])
    packages = [describe_package(each.metadata) for each in distributions(path=list(folders))]
    return sorted(packages, key=lambda package: package["name"].lower())


def describe_package(metadata: PackageMetadata) -> dict[str, str]:
    """Describe a package by its metadata; the licence is "" unless it is an expression of SPDX."""
    licence = metadata.get_all("License-Expression", [""])
    return {"name": metadata["Name"], "version": metadata["Version"], "licence": licence[0]}


def list_debian_packages() -> list[dict[str, str]]:
    """List {package, version, architecture}; empty where dpkg did not install the base."""
    if not STATUS.exists():
        return []
    blocks = STATUS.read_text(encoding="utf-8").split("\n\n")
    entries = [
        dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != " ")
        for block in blocks
    ]
    return [
        {field.lower(): entry[field] for field in ("Package", "Version", "Architecture")}
        for entry in entries
        if entry.get("Status") == "install ok installed"
    ]


if __name__ == "__main__":
    system = platform.freedesktop_os_release()
    contents = {
        "python": list_python_packages(),
        "debian": list_debian_packages(),
        "system": {"name": system["ID"], "version": system.get("VERSION_ID", "")},
        "interpreter": platform.python_version(),
    }
    print(json.dumps(contents))
