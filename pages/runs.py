"""Every training that was done: compare them, and see what each got wrong."""

from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.page import open_page
from cnnkit.ui.runs.run_comparison import compare
from cnnkit.ui.runs.run_details import same_runs_in_mlflow, show_run
from cnnkit.ui.runs.run_list import choose_runs, refresh_when_one_ends

open_page("Runs", "Every training is kept: compare them, and look at what each got wrong.")

with shown_errors(stop=False):
    runs = choose_runs()
    if len(runs) == 1:
        show_run(runs[0])
    elif runs:
        compare(runs)
    refresh_when_one_ends()

same_runs_in_mlflow()
