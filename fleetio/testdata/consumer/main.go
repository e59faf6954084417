// Consumer is a program of somebody who imports the client.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

func main() {
	client, err := fleetio.NewClient(fleetio.Credentials{
		APIKey: os.Getenv("FLEETIO_API_KEY"), AccountToken: os.Getenv("FLEETIO_ACCOUNT_TOKEN"),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fault, err := client.CreateFault(context.Background(), fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(fault.ID)
}
