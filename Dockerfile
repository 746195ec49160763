# The image of worker, replay and every other command: docker build -t riskstream .
FROM python:3.11-slim

WORKDIR /opt/riskstream
# the requirements first: they change seldom, and their layer is kept
COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt

COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY scoring scoring
COPY stream stream
# the command line finds the training commands by their package; without torch they say how to install it
COPY training training
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

RUN useradd --create-home --home-dir /srv/riskstream --uid 10001 riskstream && install -d -o riskstream /replay
USER riskstream
WORKDIR /srv/riskstream
ENTRYPOINT ["riskstream"]
CMD ["worker"]
