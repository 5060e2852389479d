"""What a program can reach: settings, secrets, and calls of AWS, each with the path by which code gets there.

`program` reads sources, `values` are what an expression may be, `machine` runs every function on such values
until nothing new turns up. `statements`, `expressions`, `calls` and `binding` say what Python does, `needs`
turns what was reached into variables and IAM actions (by the table in `actions`), and `granted` reads the same
from the template and compares.

How it works: a points-to analysis. An object is known by the class and the line that makes it, together with
the object whose method that line is in, so two queues made by the same line for two owners stay apart. A
function is run apart for each object that it is a method of, for each setting and client that it is given, and
for each text by which it chooses an item, an attribute or an index. A branch is never ruled out: what
configuration decides counts as reached both ways.

What it cannot see, and what watches over that:
- Code outside of the program (libraries, and the packages named opaque) is taken to call every function that
  it is given, and libraries to give back what they were given. It is not taken to make clients or read
  settings; that the domain cannot, tests/architecture/test_house.py says.
- `getattr` with a name that is not known, an operation without a row in the table, an operation handed to a
  library, a client of an unknown service, and a resource that comes from no setting are faults, not silence.
- A parameter or field that is declared as a class or protocol of the program, or as a callable, and that no
  known value reaches, is a fault: then the analysis lost something on its way. `X | None` is not watched.
- A key of an object is known by how it begins, up to its last known slash. Where nothing of it is known, one
  grant on the bucket that no other key explains is taken to be for it.
- Names bound by `setattr`, `globals()`, `exec` and the like, clients of boto3 and variables read past the settings
  are not seen. The program has none: test_function_needs.py looks for them.
- What a library asks AWS for by itself is not seen, nor what AWS asks for on a call's behalf, except the key of
  ours that a topic is encrypted with.
"""
