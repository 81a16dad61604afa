"""Serve a pipeline with FastAPI and pandas, the usual way; LAB_PIPELINE names it."""

import json
import os
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel, create_model

KINDS: dict[str, Any] = {"number": float | None, "category": str | None}

folder = Path(os.environ["LAB_PIPELINE"])
pipeline = joblib.load(folder / "pipeline.joblib")
kinds = json.loads((folder / "kinds.json").read_text())
fields: dict[str, Any] = {name: (KINDS[kind], ...) for name, kind in kinds.items()}
Row: type[BaseModel] = create_model("Row", **fields)
app = FastAPI()


@app.post("/predict")
def predict(row: Row) -> dict[str, float]:  # type: ignore[valid-type]  # the columns are the model's
    frame = pd.DataFrame([row.model_dump()])  # type: ignore[attr-defined]
    return {"probability": float(pipeline.predict_proba(frame)[0, 1])}


@app.post("/predict/batch")
def predict_batch(rows: list[Row]) -> dict[str, list[float]]:  # type: ignore[valid-type]
    frame = pd.DataFrame([row.model_dump() for row in rows])  # type: ignore[attr-defined]
    return {"probabilities": pipeline.predict_proba(frame)[:, 1].tolist()}
