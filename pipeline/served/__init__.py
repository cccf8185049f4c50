"""OCR by other machines: pages are sent over HTTP to PaddleX servers (`paddlex --serve --pipeline OCR`).

`engine` is the `OcrEngine`; `servers` chooses among several, and says whose fault a failure is; `server` is one of them
and `wire` its request and answer.
"""
