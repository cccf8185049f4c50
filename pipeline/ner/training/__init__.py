"""Training a NER model on labelled text: `nightshift ner train` and `evaluate`.

labels -> sentences -> examples -> network -> folder, which the engine `crf` (`pipeline.ner.trained`) loads.
"""
