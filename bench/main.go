// Command bench compares this project with its peers: other checkers, clients, mock servers and contract testers. It is a
// module of its own, so that no importer of the project gets them.
//
// Run it by make, in the root of the repository: make bench, make scoreboard or make peers.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	commands := map[string]func(context.Context) error{"peers": peers, "report": report, "scoreboard": scoreboard}
	var command func(context.Context) error
	if len(os.Args) == 2 {
		command = commands[os.Args[1]]
	}
	if command == nil {
		fmt.Fprintln(os.Stderr, "usage: bench report|scoreboard|peers (see make help)")
		os.Exit(2)
	}
	if err := command(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
