"""From draft to judgement: gates G0 to G4, classification, early stop."""
