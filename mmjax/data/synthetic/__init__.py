"""Tasks of known joint distribution: who tells what of the class, in bits."""
