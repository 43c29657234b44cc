"""To be imported for what it imports: most of what opening a record does. It opens none."""

import mlflow.store.tracking.sqlalchemy_store
import mlflow.tracking  # noqa: F401
