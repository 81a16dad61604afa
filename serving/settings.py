"""Settings of the server, read from environment variables that start with LAB_."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Sender = Annotated[str, Field(pattern=r"^[a-z0-9_.-]{1,40}$")]


class Settings(BaseSettings):
    """Settings such as LAB_CHAMPION=models/champion; unknown names are refused."""

    model_config = SettingsConfigDict(env_prefix="LAB_", extra="forbid", frozen=True)

    champion: Path = Field(default=Path("models/champion"), description="The folder of the model that answers.")
    challenger: Path | None = Field(
        default=None, description="The folder of a second model, for the arm `challenger` or for shadow mode."
    )
    challenger_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="The share of units that the challenger answers, by a hash of the unit.",
    )
    shadow: bool = Field(
        default=False,
        description="Shadow mode: the challenger scores every row for the log; the champion answers.",
    )
    salt: str = Field(default="serving", description="The salt of the hash that assigns units to arms.")
    seconds_between_looks: float = Field(
        default=2.0, gt=0, description="The interval in which the model folders are checked for a new model."
    )
    most_model_megabytes: float = Field(
        default=256, gt=0, description="The maximum size of a file of a model; a larger one is refused."
    )
    log: Path | None = Field(default=None, description="The folder of the prediction log; none: no log.")
    durability: Literal["always", "batched", "never"] = Field(
        default="always",
        description="When log lines are synced to disk: before each answer (always), every second (batched), "
        "or by the operating system (never).",
    )
    log_megabytes: float = Field(default=64, gt=0, description="A log file is closed at this size.")
    log_hours: float = Field(default=24, gt=0, description="A log file is closed at this age.")
    log_keep_megabytes: float | None = Field(
        default=None,
        gt=0,
        description="The oldest closed files are deleted when the log is larger; none: all are kept.",
    )
    log_keep_days: float | None = Field(
        default=None,
        gt=0,
        description="Closed files are deleted after so many days in which a server ran on the log; none: all are kept.",
    )
    redact: frozenset[str] = Field(
        default=frozenset(), description='Features whose values the log leaves out, such as LAB_REDACT=["gender"].'
    )
    gauges: Path | None = Field(
        default=None,
        description="A folder of files that `python -m ops gauges` writes; GET /metrics includes them.",
    )
    most_rows: int = Field(default=10_000, ge=1, description="The maximum number of rows in one batch.")
    most_megabytes: float = Field(default=8, gt=0, description="The maximum size of the body of a batch.")
    most_kilobytes_of_a_row: float = Field(default=256, gt=0, description="The maximum size of any other body.")
    most_megabytes_at_once: float = Field(
        default=16,
        gt=0,
        description="The maximum size of all bodies in memory; above it, unfinished ones are refused (503).",
    )
    most_connections: int = Field(
        default=500,
        ge=1,
        description="The maximum number of connections of a worker. For a further one, the connection is closed that "
        "has waited longest for its client.",
    )
    most_kilobytes_of_a_head: float = Field(
        default=16, gt=0, description="The maximum size of the request line with all headers; larger: 431."
    )
    seconds_for_a_head: float = Field(
        default=5, gt=0, description="The maximum time for the headers to arrive, and for a client to read an answer."
    )
    seconds_to_keep_alive: int = Field(
        default=5, gt=0, description="A connection without requests is closed after this time."
    )
    seconds_for_a_body: float = Field(default=10, gt=0, description="The maximum time for a body to arrive.")
    requests_per_second: float | None = Field(
        default=None, gt=0, description="Requests above this rate are refused with 429; none: no limit."
    )
    api_key: SecretStr | None = Field(
        default=None, description="The key that clients send in the header X-API-Key; none: no key is needed."
    )
    feedback_keys: dict[Sender, SecretStr] = Field(
        default={},
        description='The keys of those who send labels, such as LAB_FEEDBACK_KEYS={"crm": "…"}; '
        "POST /feedback then takes these keys only. None: the API key.",
    )
    id_secret: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="Signs prediction ids. Servers with the same secret take labels for each other's predictions; "
        "none: a key in the folder of the log.",
    )

    @model_validator(mode="after")
    def a_large_body_fits_in_memory(self) -> Self:
        if self.most_megabytes > self.most_megabytes_at_once:
            raise ValueError(f"most_megabytes_at_once must be at least most_megabytes ({self.most_megabytes:g})")
        return self

    @model_validator(mode="after")
    def a_challenger_is_set_where_it_is_used(self) -> Self:
        if self.challenger is None and (self.challenger_share or self.shadow):
            raise ValueError("challenger_share and shadow need a challenger: set LAB_CHALLENGER to a model's folder")
        return self

    @model_validator(mode="after")
    def each_sender_has_its_own_key(self) -> Self:
        keys = [key.get_secret_value() for key in (*self.feedback_keys.values(), self.api_key) if key is not None]
        if len(set(keys)) < len(keys) or "" in keys:
            raise ValueError("each sender of feedback_keys needs a key of its own, other than the API key")
        return self
