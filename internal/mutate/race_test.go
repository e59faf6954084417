//go:build race

package mutate

const raceDetector = true
