// Package fleetio creates faults in Fleetio: diagnostic trouble codes that vehicles report.
//
//	client, err := fleetio.NewClient(fleetio.Credentials{APIKey: key, AccountToken: token})
//	...
//	fault, err := client.CreateFault(ctx, fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"})
//
// It is made for a service that must not lose a fault, create one twice, or leak a key, and imports the standard library
// only. [Client.CreateFaults] creates many. [Check] tells what is wrong with a fault without sending it.
//
// # Errors
//
// Whatever is not a fault in a 201 is an error, which says what became of the fault: an [*InvalidError] and a
// [*RateLimitError] that it was not created, an [*Error] by its Created and [Error.Ambiguous] that it was, that this is
// not known, or else that it was not. [errors.Is] finds [ErrUnauthorized], [ErrForbidden] and [ErrInvalid].
//
// # What is tried again
//
// The API has no idempotency key. So a request is sent again only where nothing can have come of it before. The
// [RetryPolicy] limits how often, 4 attempts by default, and how long, 2 minutes of waiting in all.
//
//	outcome                                             again  after                         else
//	no connection: the name, dialing, TLS, a proxy      yes    250 ms, 500 ms, 1 s, ...      not created
//	  a certificate that is not trusted                 no                                   not created
//	lost before a byte of the body was asked for        yes    250 ms, 500 ms, 1 s, ...      not created
//	lost later, a stream reset, a GOAWAY                no                                   ambiguous
//	timeout, cancellation before a byte of the body     no                                   not created
//	timeout, cancellation later                         no                                   ambiguous
//	201 that cannot be read, or is of another fault     no                                   created
//	429 with Retry-After                                yes    as it says                    RateLimitError
//	  that asks for more than the policy has left       no                                   RateLimitError
//	429 without Retry-After                             no                                   RateLimitError
//	408, and each 4xx that no standard defines          no                                   ambiguous
//	each other 4xx                                      no                                   not created
//	503 with Retry-After, and WithRetry503              yes    as it says                    not created
//	each other status                                   no                                   ambiguous
//
// A gateway, cache or load balancer may forward a request, lose the server, and respond itself. So a status is trusted
// only if that cannot be how it came about: see [Error.Ambiguous].
//
// Each wait is longer at random, by up to a tenth and a second at most. One that would outlast the context's deadline is
// not begun.
// Redirects are never followed. HTTP/2 may say of a stream that it was not processed; net/http does not pass that on, and
// it counts as lost.
package fleetio
