"""What the server is told by its environment; each setting is a variable of the same name behind LAB_."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The server's settings, such as LAB_CHAMPION=models/champion; names that nobody knows are refused."""

    model_config = SettingsConfigDict(env_prefix="LAB_", extra="forbid", frozen=True)

    champion: Path = Field(default=Path("models/champion"), description="The folder of the model that answers.")
    challenger: Path | None = Field(
        default=None, description="The folder of a second model, for the arm `challenger` or in the shadow."
    )
    challenger_share: float = Field(
        default=0.0, ge=0, le=1, description="The share of units that the challenger answers, by a hash of the unit."
    )
    shadow: bool = Field(
        default=False, description="The challenger scores every row too, into the log; the champion answers."
    )
    salt: str = Field(default="serving", description="Names the division into arms: another salt is another division.")
    seconds_between_looks: float = Field(
        default=2.0, gt=0, description="How often the folders of the models are looked at for another model."
    )
    log: Path | None = Field(default=None, description="The folder of the prediction log; none is kept without it.")
    durability: Literal["always", "batched", "never"] = Field(
        default="always",
        description="An answer is given once its line is on the disk (always), or a little earlier (batched: "
        "forced out every second; never: when the system likes).",
    )
    log_megabytes: float = Field(default=64, gt=0, description="A file of the log is closed at this size.")
    log_hours: float = Field(default=24, gt=0, description="A file of the log is closed at this age.")
    log_keep_megabytes: float | None = Field(
        default=None, gt=0, description="The oldest closed files go when the log is larger; all are kept without it."
    )
    log_keep_days: float | None = Field(
        default=None, gt=0, description="Closed files that are older go; all are kept without it."
    )
    redact: frozenset[str] = Field(
        default=frozenset(), description='Features whose values the log leaves out, such as LAB_REDACT=["gender"].'
    )
    gauges: Path | None = Field(
        default=None,
        description="A folder of files that `python -m ops gauges` writes; GET /metrics shows what they say.",
    )
    most_rows: int = Field(default=10_000, ge=1, description="The most rows of one batch.")
    most_megabytes: float = Field(default=8, gt=0, description="The largest body of a request.")
    seconds_for_a_body: float = Field(default=10, gt=0, description="How long a body may take to arrive.")
    requests_per_second: float | None = Field(
        default=None, gt=0, description="More than this are refused with 429; no limit without it."
    )
    api_key: SecretStr | None = Field(
        default=None, description="Asked for in the header X-API-Key; without it everybody is answered."
    )

    @model_validator(mode="after")
    def a_challenger_is_there_to_be_asked(self) -> Self:
        if self.challenger is None and (self.challenger_share or self.shadow):
            raise ValueError("challenger_share and shadow need a challenger: set LAB_CHALLENGER to a model's folder")
        return self
