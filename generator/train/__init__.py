"""Training a model: four stages, each from files to files in the folder of a run."""
