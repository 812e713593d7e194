"""A release: one file that says which image it is, and of which commit, model and data.

The file names the software bill of materials by its hash, and is signed: who verifies it has
verified all that it names.
"""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from ..core.errors import UserError
from ..core.paths import sha256, write_json

FOLDER = Path("dist")
RELEASE, SBOM = FOLDER / "release.json", FOLDER / "sbom.cdx.json"
SIGNATURE = FOLDER / "release.json.sig"


class Release(BaseModel):
    """What a release is made of.

    `image` is named by its digest where it was pushed, else by its id; `data_version` is DVC's hash
    of data/raw; `built` says when, UTC; `sbom_sha256` is "" before there is a bill of materials.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())

    image: str
    commit: str
    model_version: int
    model_sha256: str
    data_version: str | None
    built: str
    sbom_sha256: str = ""

    @classmethod
    def read(cls) -> Self:
        """Read the file. Raises UserError if nothing was built, or it is none of ours."""
        if not RELEASE.exists():
            raise UserError(f"{RELEASE} is not there yet: make it with 'deploy build'.")
        try:
            return cls.model_validate_json(RELEASE.read_bytes())
        except ValidationError as error:
            raise UserError(
                f"{RELEASE} is not a release: make it again with 'deploy build'."
            ) from error

    def write(self) -> None:
        """Write the file, and remove its signature: what was signed is not this one any more."""
        SIGNATURE.unlink(missing_ok=True)
        write_json(RELEASE, self.model_dump())

    def check_sbom(self) -> None:
        """Raise UserError unless the bill of materials is the one that the release names."""
        if not self.sbom_sha256 or not SBOM.exists():
            raise UserError(f"{SBOM} is not there yet: make it with 'deploy sbom'.")
        if sha256(SBOM) != self.sbom_sha256:
            raise UserError(
                f"{SBOM} is not the one that {RELEASE} names, somebody changed it: do not deploy "
                "this release; make a new one with 'deploy build' and 'deploy sbom'."
            )
