// Package fleetio creates faults in Fleetio, the diagnostic trouble codes that vehicles report, and reads them back.
//
//	client, err := fleetio.NewClient(fleetio.Credentials{APIKey: key, AccountToken: token}, fleetio.WithReconcile())
//	...
//	fault, err := client.CreateFault(ctx, fleetio.FaultCreate{VehicleID: 4711, Code: "P0420", ExternalID: &eventID})
//
// The client loses no fault, creates none twice, and leaks no key. It imports only the standard library.
// [Client.CreateFaults] creates many faults, [Client.Fault] and [Client.Faults] read them. [Check] checks a fault without
// sending it. [VerifyWebhook] checks and decodes the events that Fleetio sends.
//
// The next version may add fields to the structs. Name the fields in literals, and do not compare structs by ==: a field
// may be a list.
//
// # Errors
//
// Every outcome but a fault in a 201 is an error that says whether the fault was created. After an [*InvalidError] or a
// [*RateLimitError] it was not. After an [*Error] it was if Created is true; if [Error.Ambiguous] returns true, the
// outcome is unknown; otherwise it was not. [errors.Is] finds [ErrUnauthorized], [ErrForbidden], [ErrNotFound] and
// [ErrInvalid].
//
// With [WithReconcile], a fault whose create is ambiguous is looked up by its external_id, at most twice. If it is there,
// it is returned, and otherwise the error is a [*NotFoundError]. Only if a look-up fails or is inconclusive, the outcome
// remains ambiguous.
//
// # Retries
//
// The API has no idempotency key. A create is sent again only if the attempt before it cannot have created a fault.
// The [RetryPolicy] limits the attempts (default 4) and the time spent waiting (default 2 minutes).
//
//	outcome                                               retry  after                    if the last
//	no connection (name, dialing, TLS, proxy)             yes    250 ms, 500 ms, 1 s...   not created
//	  certificate not trusted                             no                              not created
//	lost before the first byte of the body was read       yes    250 ms, 500 ms, 1 s...   not created
//	lost later, stream reset, GOAWAY                      no                              ambiguous
//	timeout or cancellation before that byte              no                              not created
//	timeout or cancellation later                         no                              ambiguous
//	201 that is unreadable or about another fault         no                              created
//	429 with Retry-After                                  yes    Retry-After              RateLimitError
//	  longer than what the policy has left                no                              RateLimitError
//	429 without Retry-After                               no                              RateLimitError
//	408, and any 4xx that no standard defines             no                              ambiguous
//	any other 4xx                                         no                              not created
//	503 with Retry-After, if WithRetry503                 yes    Retry-After              not created
//	any other status                                      no                              ambiguous
//
// A request that only reads is sent again after a lost connection, a timeout, a 200 that is unreadable, a 5xx, a 408, a 4xx
// that no standard defines (after 250 ms, 500 ms, 1 s..., or Retry-After), and a 429 with Retry-After. It is never
// ambiguous.
//
// A gateway, cache or load balancer may forward a request, lose the server and respond itself, so a status alone does
// not prove that the fault was not created: see [Error.Ambiguous].
//
// Each wait is extended at random by up to a tenth, at most 1 s. A wait beyond the deadline of the context is not
// begun. Redirects are never followed. HTTP/2 can mark a stream as not processed; net/http does not report that, so the
// request counts as lost.
package fleetio
