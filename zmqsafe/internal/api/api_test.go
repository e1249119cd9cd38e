package api

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLoadSaysWhatIsWrong(t *testing.T) {
	_, err := Load("github.com/pebbe/zmq4/nosuch")
	assert.ErrorContains(t, err, "nosuch")
}
