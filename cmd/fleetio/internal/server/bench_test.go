package server

import (
	"bufio"
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/sqlite"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	faultsPath = "/api/v1/faults"
	// benchBody has every field, about 350 bytes.
	benchBody = `{"vehicle_id":1,"code":"P0420","count":3,` +
		`"description":"Efficiency of the catalyst on bank 1 is below its threshold. Seen again on the way back, after the exhaust was warm.",` +
		`"external_id":"telematics-0000000001","last_occurred_at":"2023-03-14T13:46:27-06:00",` +
		`"name":"Catalyst efficiency","status":"open","source":"telematics"}`
)

// BenchmarkCreate compares creates over 64 connections of loopback. Client and server share the process, so compare the
// sub-benchmarks of one run with each other: sandbox-db takes at most twice as long as bare, and at most a quarter of
// usual.
func BenchmarkCreate(b *testing.B) {
	logger := slog.New(slog.DiscardHandler)
	inSandbox := func(b *testing.B, options ...sandbox.Option) *http.Server {
		box, err := sandbox.New(append(options, sandbox.WithHistory(0))...)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, box.Close()) })
		return HTTPServer(box, logger)
	}
	for _, bench := range []struct {
		name  string
		start func(*testing.B) *http.Server
	}{
		{"bare", func(*testing.B) *http.Server { return &http.Server{Handler: http.HandlerFunc(bare)} }},
		{"sandbox", func(b *testing.B) *http.Server { return inSandbox(b) }},
		{"sandbox-checked", func(b *testing.B) *http.Server {
			contract, err := conformance.Load(api.Spec)
			require.NoError(b, err)
			return inSandbox(b, sandbox.WithObserver(NewJournal(contract).Observe))
		}},
		{"sandbox-db", func(b *testing.B) *http.Server {
			store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "faults.db"))
			require.NoError(b, err)
			return inSandbox(b, sandbox.WithStore(store))
		}},
		{"usual", func(b *testing.B) *http.Server { return &http.Server{Handler: usual(b)} }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := bench.start(b)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(b, err)
			go func() { _ = s.Serve(listener) }()
			b.Cleanup(func() { require.NoError(b, s.Close()) }) // before the store
			account := sandbox.DefaultFixtures().Accounts[0]
			request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Token %s\r\nAccount-Token: %s\r\n"+
				"Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				faultsPath, account.APIKeys[0].Key, account.Token, len(benchBody), benchBody)
			b.SetParallelism(64 / runtime.GOMAXPROCS(0))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				conn, err := net.Dial("tcp", listener.Addr().String())
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				for responses := bufio.NewReader(conn); pb.Next(); {
					if err := exchange(conn, responses, request); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
		})
	}
}

// exchange sends a request and reads a 201. It is no [http.Client], which would take more time than the servers.
func exchange(conn io.Writer, responses *bufio.Reader, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	response, err := http.ReadResponse(responses, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return errors.New(response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// bare decodes a fault and encodes one, and does nothing else: the least that a server can do.
func bare(w http.ResponseWriter, r *http.Request) {
	var in fleetioapi.FaultCreate
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(created(1, 12, &in)) //nolint:errchkjson // the client has left
}

func created(id, account int64, in *fleetioapi.FaultCreate) fleetioapi.Fault {
	now := time.Now().Truncate(time.Second)
	return fleetioapi.Fault{
		ID: id, AccountID: account, CreatedAt: &now, UpdatedAt: &now, FaultRuleID: fleetioapi.Value(int64(8)),
		VehicleID: fleetioapi.Value(in.VehicleID), Code: in.Code, Count: fleetioapi.Value(*in.Count),
		Description: fleetioapi.Value(*in.Description), ExternalID: fleetioapi.Value(*in.ExternalID),
		LastOccurredAt: fleetioapi.Value(*in.LastOccurredAt), Name: fleetioapi.Value(*in.Name), Status: fleetioapi.FaultStatusOpen,
		Source: fleetioapi.Value(*in.Source), VehicleArchivedAt: fleetioapi.Null[time.Time](), IdempotencyKey: fleetioapi.Null[string](),
	}
}

// usualServer is the usual composition: the generated strict server behind kin-openapi's validation, and a transaction
// a request.
type usualServer struct {
	fleetioserver.StrictServerInterface // for the other operations, which nothing calls

	account sandbox.Account
	insert  *sql.Stmt
	db      *sql.DB
}

func usual(b *testing.B) http.Handler {
	b.Helper()
	dsn := "file:" + filepath.Join(b.TempDir(), "usual.db") +
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)"
	db, err := sql.Open("sqlite", dsn)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	db.SetMaxOpenConns(1) // SQLite has one writer
	_, err = db.Exec(`CREATE TABLE faults
		(id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, fault TEXT NOT NULL)`)
	require.NoError(b, err)
	insert, err := db.Prepare("INSERT INTO faults (account_id, fault) VALUES (?, ?)")
	require.NoError(b, err)
	u := &usualServer{account: sandbox.DefaultFixtures().Accounts[0], insert: insert, db: db}
	spec, err := openapi3.NewLoader().LoadFromData(api.Spec)
	require.NoError(b, err)
	spec.Servers = nil // the router would ask for the vendor's host
	router, err := legacy.NewRouter(spec)
	require.NoError(b, err)
	handler := fleetioserver.Handler(fleetioserver.NewStrictHandler(u, nil))
	options := &openapi3filter.Options{AuthenticationFunc: u.authenticate}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // as oapi-codegen's middleware for net/http
		route, params, err := router.FindRoute(r)
		if err == nil {
			err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
				Request: r, PathParams: params, Route: route, Options: options,
			})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// CreateFault implements [fleetioserver.StrictServerInterface].
func (u *usualServer) CreateFault(
	ctx context.Context, in fleetioserver.CreateFaultRequestObject,
) (fleetioserver.CreateFaultResponseObject, error) {
	fault := created(0, u.account.ID, in.Body)
	text, err := json.Marshal(fault)
	if err != nil {
		return nil, err
	}
	tx, err := u.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()                     // after the commit there is nothing to roll back
	insert := tx.StmtContext(ctx, u.insert) //nolint:sqlclosecheck // the end of tx closes it
	result, err := insert.ExecContext(ctx, u.account.ID, string(text))
	if err != nil {
		return nil, err
	}
	if fault.ID, err = result.LastInsertId(); err != nil {
		return nil, err
	}
	return fleetioserver.CreateFault201JSONResponse{
		Body:    fault,
		Headers: fleetioserver.CreateFault201ResponseHeaders{Location: fmt.Sprintf("%s/%d", faultsPath, fault.ID)},
	}, tx.Commit()
}

func (u *usualServer) authenticate(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	expected, actual := u.account.Token, in.RequestValidationInput.Request.Header.Get(in.SecurityScheme.Name)
	if in.SecuritySchemeName == "apiKey" {
		expected = "Token " + u.account.APIKeys[0].Key
	}
	if subtle.ConstantTimeCompare([]byte(actual), []byte(expected)) != 1 {
		return in.NewError(errors.New("wrong"))
	}
	return nil
}
