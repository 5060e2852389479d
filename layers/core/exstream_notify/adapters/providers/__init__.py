"""Notification providers: OpenText Notifications, Amazon SES v2, AWS End User Messaging SMS v2.

Each turns a message into the exact bytes of a request (`request`), hands requests over one by one
(`send`) and says what the provider's answer means for the attempt. Retries, pacing and the circuit
breaker are the use case's. Every condition that a provider can answer with is a row of one table:
`opentext_answers`, `ses_answers`, `sms_answers`, over the rows of `aws_answers`.

The modules are imported one by one where they are needed: httpx loads only with `opentext`, and
botocore only when a client is made.
"""
