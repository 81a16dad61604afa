"""Save a pipeline as an MLflow model, in MLflow's own environment: `save_mlflow.py PIPELINE FOLDER`."""

import sys

import joblib
import mlflow.sklearn  # type: ignore[import-not-found]  # in an environment of its own
import pandas as pd
from mlflow.models import infer_signature  # type: ignore[import-not-found]


def main() -> None:
    pipeline, rows, folder = joblib.load(sys.argv[1]), pd.read_json(sys.argv[2], orient="split"), sys.argv[3]
    mlflow.sklearn.save_model(
        pipeline,
        folder,
        signature=infer_signature(rows, pipeline.predict_proba(rows)),
        serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
        pyfunc_predict_fn="predict_proba",
        pip_requirements=[],
    )


if __name__ == "__main__":
    main()
