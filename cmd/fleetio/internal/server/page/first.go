package page

import (
	"encoding/json"
	"slices"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// first is a command that creates a fault, for who has just come; the zero value where no account takes one.
type first struct {
	Command      string
	Account, Key string // whose credentials it needs
}

func (p *Page) first(accounts []sandbox.Account, origin string) first {
	for _, a := range accounts {
		may := slices.IndexFunc(a.APIKeys, func(k sandbox.APIKey) bool {
			return slices.Contains(k.Permissions, sandbox.CreateFaults)
		})
		if may < 0 || len(a.Vehicles) == 0 || len(a.FaultRules) == 0 {
			continue
		}
		fault, err := json.Marshal(struct {
			VehicleID int64  `json:"vehicle_id"`
			Code      string `json:"code"`
		}{a.Vehicles[0].ID, redacted(p.source, a.FaultRules[0].Code)})
		if err != nil {
			continue
		}
		return first{
			Command: "curl --include --noproxy '*'" +
				" \\\n  --header 'Authorization: Token '" + variables["Authorization"] +
				" \\\n  --header 'Account-Token: '" + variables["Account-Token"] +
				" \\\n  --header 'Content-Type: application/json'" +
				" \\\n  --data-raw " + word(string(fault)) +
				" \\\n  --url " + word(origin+"/api/v1/faults"),
			Account: clip(a.Name, mostCell), Key: clip(a.APIKeys[may].Name, mostCell),
		}
	}
	return first{}
}
