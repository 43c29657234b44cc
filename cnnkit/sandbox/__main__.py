"""`python -m cnnkit.sandbox CHANNEL FUNCTION …`: the process that children are forked from."""

from cnnkit.sandbox._forking import fork_children

if __name__ == "__main__":
    fork_children()
