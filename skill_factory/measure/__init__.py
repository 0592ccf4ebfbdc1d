"""Measure: has a model the skill? Outputs of runs become counts, counts become figures with their doubt.

reading       what the front door opens, as outputs of runs      layout      which column holds what
row_outputs   a row becomes outputs                              values      what single values of a row mean
outputs       the nouns, and the table of all outputs            parts       the nouns of one output
taking_apart  one output taken apart                             inner_answers   attempts without sample blocks
circles       texts that repeat themselves                       grades      marks, by the grader that rewards
counting      outputs become rows of the table                   habits      words, and no more
piecework     what a worker does
cells         what is counted, as a matrix                       intervals   resampling whole questions
figures       every figure, a function of sums                   votes       pass@k and maj@k
runs          what is said of a run, and why not                 comparing   two runs, and checkpoints
measurement   all of it, as one object                           figures_json    a run, as `--json` prints it
on_ray        the same counts on a cluster                       measuring   **open first**: from a path to a measurement
following     a folder that grows
harvesting    round two: outputs become raw data                 evaluation/ asks a trained model
shown/        tables, charts, card, page, advice
"""
