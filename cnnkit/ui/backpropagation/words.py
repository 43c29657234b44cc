"""What each kind of layer does in either direction, in a sentence and a formula."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Of one kind of layer."""

    forward: str
    forward_formula: str  # LaTeX
    backward: str
    backward_formula: str


def _curve(slope: str) -> str:
    return (
        rf"\begin{{gathered}} \delta x = \delta y \cdot f'(x) \\ f'(x) = {slope} \end{{gathered}}"
    )


WORDS = {
    "convolution": Words(
        "Each filter is laid over every place of the maps. What lies under it is multiplied by "
        "its weights, all products are summed, and the filter's bias is added.",
        r"y_{ij}^{(o)} = b^{(o)} + \sum_{a,b,c} x_{i+a,\,j+b}^{(c)} \; w_{ab}^{(c,o)}",
        "A pixel took part in several outputs, so it gets back all of their deltas, each times the "
        "weight that joined them. That is the same sliding product once more: the deltas get a "
        "**border of zeros**, one less than the kernel is wide, and the **kernel is flipped** in "
        "both directions.",
        r"\delta x_{ij}^{(c)} = \sum_{a,b,o} \bar\delta_{i+a,\,j+b}^{(o)} \; "
        r"w_{K-1-a,\,K-1-b}^{(c,o)}",
    ),
    "max pooling": Words(
        "Of each small field only the largest number goes on. The layer remembers where it stood.",
        r"y_{ij} = \max_{\text{field } ij} x",
        "Each delta **returns to the pixel that was the largest**. All others of its field did "
        "not matter for the loss: they get **zero**.",
        r"\delta x = \begin{cases} \delta y & \text{where it was the largest} \\ 0 & "
        r"\text{elsewhere} \end{cases}",
    ),
    "average pooling": Words(
        "The mean of each small field goes on.",
        r"y_{ij} = \frac1n \sum_{\text{field } ij} x",
        "Each of the *n* numbers of a field gets an *n*-th of its delta.",
        r"\delta x = \tfrac1n \; \delta y",
    ),
    "dense": Words(
        "Each unit is a weighted sum of all numbers before it, and a bias.",
        r"y_o = b_o + \sum_i x_i \, w_{io}",
        "The deltas go the same ways with the same weights, the other way round.",
        r"\delta x_i = \sum_o \delta y_o \, w_{io}",
    ),
    "ReLU": Words(
        "What is negative becomes zero.",
        r"y = \max(x, 0)",
        "A switch for each number: where it was positive its delta passes unchanged, elsewhere "
        "it is stopped.",
        _curve(r"1 \text{ if } x > 0 \text{, else } 0"),
    ),
    "tanh": Words(
        "Every number is squeezed between -1 and 1.",
        r"y = \tanh x",
        "Each delta is multiplied by the slope of the curve at its number: flat ends let little "
        "through.",
        _curve("1 - y^2"),
    ),
    "sigmoid": Words(
        "Every number is squeezed between 0 and 1.",
        r"y = \frac{1}{1 + e^{-x}}",
        "Each delta is multiplied by the slope of the curve at its number, a quarter at most.",
        _curve(r"y\,(1 - y)"),
    ),
    "flatten": Words(
        "The maps are laid out as one row: the first pixel of all maps, then the next. Nothing is "
        "computed.",
        r"y_n = x_{ij}^{(c)}, \qquad n = (i \cdot W + j) \cdot C + c",
        "The row of deltas is **folded back** into maps, each delta to the place its number came "
        "from.",
        r"\delta x_{ij}^{(c)} = \delta y_n",
    ),
    "scaling": Words(
        "Pixels of 0 to 255 are made small numbers.",
        r"y = s \cdot x + t",
        "The delta is scaled alike: what would change the loss if a pixel became lighter.",
        r"\delta x = s \cdot \delta y",
    ),
    "zero padding": Words(
        "Zeros are put around the image.",
        r"y_{ij} = x_{i-t,\,j-l} \text{ inside, } 0 \text{ outside}",
        "What reached the zeros is dropped, the rest is passed on.",
        r"\delta x_{ij} = \delta y_{i+t,\,j+l}",
    ),
    "dropout": Words(
        "While learning it leaves numbers out by lot. Here the network answers, so all pass.",
        r"y = x",
        "Deltas pass as the numbers did.",
        r"\delta x = \delta y",
    ),
}

LOSS = Words(
    "Softmax makes probabilities of the logits. The loss is how surprising the truth is: minus "
    "the logarithm of the probability of the true class.",
    r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\ln p_{\text{true}}",
    "Here the way back begins, with the simplest of all deltas: **what was said, less what is "
    "true**. The true class has a negative delta: its logit should grow.",
    r"\delta z_k = p_k - \begin{cases} 1 & k \text{ true} \\ 0 & \text{else} \end{cases}",
)
