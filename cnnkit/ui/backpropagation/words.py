"""The forward and backward pass of each kind of layer, in a sentence and a formula."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerText:
    """Text of one kind of layer."""

    forward: str
    forward_formula: str  # LaTeX
    backward: str
    backward_formula: str


def _curve(slope: str) -> str:
    return (
        rf"\begin{{gathered}} \delta x = \delta y \cdot f'(x) \\ f'(x) = {slope} \end{{gathered}}"
    )


WORDS = {
    "convolution": LayerText(
        "Each filter slides over the input maps. At every position the numbers under it are "
        "multiplied by its weights and summed, and the filter's bias is added.",
        r"y_{ij}^{(o)} = b^{(o)} + \sum_{a,b,c} x_{i+a,\,j+b}^{(c)} \; w_{ab}^{(c,o)}",
        "Several outputs depend on a pixel: its gradient is the sum of their deltas, each times "
        "the weight between them. That is a convolution again: the deltas are **zero padded** by "
        "the kernel size − 1, and the **kernel is rotated by 180°**.",
        r"\delta x_{ij}^{(c)} = \sum_{a,b,o} \bar\delta_{i+a,\,j+b}^{(o)} \; "
        r"w_{K-1-a,\,K-1-b}^{(c,o)}",
    ),
    "max pooling": LayerText(
        "The largest number of each field is the output. The layer keeps its position.",
        r"y_{ij} = \max_{\text{field } ij} x",
        "The gradient of **the pixel that was the largest** is the delta of its field. The loss "
        "does not depend on the others: their gradient is **zero**.",
        r"\delta x = \begin{cases} \delta y & \text{where it was the largest} \\ 0 & "
        r"\text{elsewhere} \end{cases}",
    ),
    "average pooling": LayerText(
        "The mean of each field is the output.",
        r"y_{ij} = \frac1n \sum_{\text{field } ij} x",
        "The gradient of each of the *n* numbers of a field is 1/*n* of its delta.",
        r"\delta x = \tfrac1n \; \delta y",
    ),
    "dense": LayerText(
        "The output of each unit is a weighted sum of all inputs, and a bias.",
        r"y_o = b_o + \sum_i x_i \, w_{io}",
        "The gradient of an input is the sum of all deltas, each times the weight between them.",
        r"\delta x_i = \sum_o \delta y_o \, w_{io}",
    ),
    "ReLU": LayerText(
        "Negative numbers become zero.",
        r"y = \max(x, 0)",
        "Where the input was positive, its gradient is the delta; elsewhere it is zero.",
        _curve(r"1 \text{ if } x > 0 \text{, else } 0"),
    ),
    "tanh": LayerText(
        "Every number is mapped to the range from −1 to 1.",
        r"y = \tanh x",
        "Each delta is multiplied by the derivative at its input: near zero where the unit is "
        "saturated.",
        _curve("1 - y^2"),
    ),
    "sigmoid": LayerText(
        "Every number is mapped to the range from 0 to 1.",
        r"y = \frac{1}{1 + e^{-x}}",
        "Each delta is multiplied by the derivative at its input, at most ¼.",
        _curve(r"y\,(1 - y)"),
    ),
    "flatten": LayerText(
        "The maps become one vector: the first pixel of all maps, then the next. Nothing is "
        "computed.",
        r"y_n = x_{ij}^{(c)}, \qquad n = (i \cdot W + j) \cdot C + c",
        "The vector of deltas is **reshaped** to maps, each delta to the position of its number.",
        r"\delta x_{ij}^{(c)} = \delta y_n",
    ),
    "scaling": LayerText(
        "Pixels of 0 to 255 are rescaled to small numbers.",
        r"y = s \cdot x + t",
        "The delta is multiplied by the same factor.",
        r"\delta x = s \cdot \delta y",
    ),
    "zero padding": LayerText(
        "Zeros are added around the image.",
        r"y_{ij} = x_{i-t,\,j-l} \text{ inside, } 0 \text{ outside}",
        "The deltas of the padding are dropped.",
        r"\delta x_{ij} = \delta y_{i+t,\,j+l}",
    ),
    "dropout": LayerText(
        "During training random numbers become zero. At inference, as here, nothing changes.",
        r"y = x",
        "The gradient is the delta.",
        r"\delta x = \delta y",
    ),
}

LOSS = LayerText(
    "Softmax turns the logits into probabilities. The loss is the cross-entropy: minus the "
    "logarithm of the probability of the true class.",
    r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\ln p_{\text{true}}",
    "The backward pass begins here: the delta is **the predicted less the true probability**. "
    "The true class has a negative delta: its logit should grow.",
    r"\delta z_k = p_k - \begin{cases} 1 & k \text{ true} \\ 0 & \text{else} \end{cases}",
)
