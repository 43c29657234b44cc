"""Small experiments that answer learners' questions, on the layers of `cnnkit.backprop`."""
