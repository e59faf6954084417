# The image of a release. Its first run without arguments tests the contract against a sandbox, and prints the verdict.
FROM gcr.io/distroless/static-debian12:nonroot
ARG TARGETPLATFORM
COPY ${TARGETPLATFORM}/fleetio /usr/bin/fleetio
ENTRYPOINT ["/usr/bin/fleetio"]
CMD ["test"]
