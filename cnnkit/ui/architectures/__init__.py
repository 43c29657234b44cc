"""The pieces of the Architectures page."""

NOTES = "a learner's notes on Coursera's Convolutional Neural Networks, week 2"
