"""What the functions do, one verb a module; every outside thing is a port passed as an argument."""
