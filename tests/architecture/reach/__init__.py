"""What a program can reach: settings, secrets, and calls of AWS, each with the path by which code gets there.

`program` reads sources, `values` are what an expression may be, `machine` runs every function on such values
until nothing new turns up, `calls` says what a call does, `needs` turns what was reached into variables and
IAM actions (by the table in `actions`), and `granted` reads the same from the template.

How it works: a points-to analysis. An object is known by the class and the line that makes it, together with
the object whose method that line is in, so two queues made by the same line for two owners stay apart. A
function is run apart for each object it is a method of, and for each text, setting or client that it is given.
A branch is never ruled out: what configuration decides counts as reached both ways.

What it cannot see, and what watches over that:
- Code outside of the program (libraries, and the packages named opaque) is taken to call every function that
  it is given, and to give back what it was given. It is not taken to make clients or read settings.
- `getattr` with a name that is not a literal, an operation without a row in the table, and a resource that
  comes from no setting are faults, not silence.
- A parameter or field that is declared as a class or protocol of the program, or as a callable, and that no
  known value reaches, is a fault: then the analysis lost something on its way.
- Names bound by `setattr`, `globals()`, `exec` and the like, clients of boto3 and variables read past the settings
  are not seen. The program has none: test_function_needs.py looks for them.
"""
