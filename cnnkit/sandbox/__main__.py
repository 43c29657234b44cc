"""The process that children are forked from: see `_forking`."""

from cnnkit.sandbox._forking import fork_children

if __name__ == "__main__":
    fork_children()
