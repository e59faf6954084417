module example.com/consumer

go 1.26.0

require github.com/fleetcontract/fleetio-go v0.0.0

replace github.com/fleetcontract/fleetio-go => REPLACED
