package traffic_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

func ExampleRead_stdin() {
	recording := strings.NewReader(`{"log": {"version": "1.2", "entries": [{
		"request": {
			"method": "POST",
			"url": "https://secure.fleetio.com/api/v1/faults",
			"headers": [{"name": "content-type", "value": "application/json"}],
			"postData": {"mimeType": "application/json", "text": "{\"vehicle_id\":41,\"code\":\"SPN-639-9\"}"}
		},
		"response": {"status": 201, "headers": [], "content": {"size": 402, "mimeType": "application/json"}}
	}]}}`)

	for exchange, err := range traffic.Read(context.Background(), recording, "-") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(exchange.Source)
		fmt.Println(exchange.Method, exchange.URL.Path, exchange.Status)
		fmt.Printf("request: %s\n", exchange.Request.Body)
		if exchange.Response.BodyOmitted {
			fmt.Println("response: the body was not recorded")
		}
	}
	// Output:
	// -#/log/entries/0
	// POST /api/v1/faults 201
	// request: {"vehicle_id":41,"code":"SPN-639-9"}
	// response: the body was not recorded
}

func ExampleRead() {
	answered, all := 0, 0
	for exchange, err := range traffic.Read(context.Background(), os.Stdin, "testdata") {
		if err != nil {
			fmt.Println(err)
			return
		}
		all++
		if exchange.Answered() {
			answered++
		}
	}
	fmt.Printf("%d of %d requests were answered\n", answered, all)
	// Output:
	// 16 of 21 requests were answered
}

func ExampleError() {
	const recording = `{"log": {"entries": [{
		"request": {"method": "GET", "url": "https://secure.fleetio.com/api/v1/faults"},
		"response": {"status": "201"}
	}]}}`

	for _, err := range traffic.Read(context.Background(), strings.NewReader(recording), "-") {
		if bad, ok := errors.AsType[*traffic.Error](err); ok {
			fmt.Println(bad)
			fmt.Printf("%.5s\n", recording[bad.Offset:])
		}
	}
	// Output:
	// -: entry 0 (byte 131): response.status: expected an integer, got a string
	// "201"
}

func ExampleWriteNDJSON() {
	const cassette = `version: 2
interactions:
    - request:
        method: POST
        url: https://secure.fleetio.com/api/v1/faults
        headers: {Content-Type: [application/json]}
        body: '{"vehicle_id":41}'
      response:
        code: 201
        headers: {}
        body: '{"id":7001}'
`
	for exchange, err := range traffic.Read(context.Background(), strings.NewReader(cassette), "-") {
		if err == nil {
			err = traffic.WriteNDJSON(os.Stdout, exchange)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	// Output:
	// {"method":"POST","url":"https://secure.fleetio.com/api/v1/faults","status":201,"request":{"headers":[["Content-Type","application/json"]],"body":"{\"vehicle_id\":41}"},"response":{"headers":[],"body":"{\"id\":7001}"}}
}
