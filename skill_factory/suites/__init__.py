"""An experiment instead of one dataset: arms that differ from a base recipe in what they name, and in nothing else.

suite      the record: a base recipe, and arms as changes of it      survey     what each question gives in each arm
choosing   the questions that all arms share, and equal sizes        writing    a partition of every arm, written
desk       the suite's folder and its work files                     ablating   the whole flow: survey, choose, write
differences  the table of what the arms hold      card   the one card of all arms      running   scripts for the trainers
"""
