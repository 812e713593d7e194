"""How the service is set: by its environment, as containers are."""

import os
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core.errors import UserError
from ..core.paths import MODEL
from .requests import Policy

Positive = Annotated[int, Field(ge=1)]


class Options(BaseModel):
    """Each is an environment variable, in capitals."""

    model_config = ConfigDict(frozen=True)

    model_uri: str = Field(MODEL.as_posix(), description="A file, or models:/NAME@champion")
    model_sha256: str = Field("", description="Of a file that is not the registered one")
    shadow_uri: str = Field("", description="A model that only takes part: models:/NAME@challenger")
    journal_url: str = Field(
        "sqlite:///journal/journal.db", description="Or postgresql://HOST/NAME"
    )
    journal_durable: bool = Field(False, description="Answer only what the journal holds")
    unexpected: Policy = Field("refuse", description="Values outside the limits: refuse or score")
    api_key: str = Field("", description="Asked of those who predict", repr=False)
    admin_key: str = Field("", description="Asked of those who swap the model", repr=False)
    max_records: Positive = Field(1000, description="In one request")
    max_bytes: Positive = Field(1_000_000, description="Of one request")
    max_waiting: Positive = Field(128, description="Requests at once; others get 503")
    max_total_bytes: Positive = Field(
        8_000_000, description="Of all requests at once; others get 503"
    )
    max_connections: Positive = Field(1000, description="At once; who waits longest is cut off")
    max_seconds: Positive = Field(10, description="To send a request, or to read its answer")
    host: str = Field("0.0.0.0", description="The address to listen on")  # noqa: S104  (all)
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Of the log")

    @classmethod
    def read(cls) -> Self:
        """Read the environment. Raises UserError naming the variable that is wrong."""
        given = {
            name: os.environ[name.upper()]
            for name in cls.model_fields
            if os.environ.get(name.upper())  # what is handed on without a value is not set
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            name, words = str(first["loc"][0]).upper(), first["msg"]
            raise UserError(
                f"{name}: {words[0].lower()}{words[1:]}; correct the environment."
            ) from error
