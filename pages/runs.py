"""All recorded runs: compare them, and look at their misclassified images."""

from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.page import open_page
from cnnkit.ui.runs.run_comparison import show_comparison
from cnnkit.ui.runs.run_details import show_mlflow_command, show_run
from cnnkit.ui.runs.run_list import rerun_when_one_ends, select_runs

open_page("Runs", "Compare recorded trainings, and look at the misclassified images of each.")

with shown_errors(stop=False):
    runs = select_runs()
    if len(runs) == 1:
        show_run(runs[0])
    elif runs:
        show_comparison(runs)
    rerun_when_one_ends()

show_mlflow_command()
