package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHead(t *testing.T) {
	h := head{limit: 5}
	for _, s := range []string{"abc", "def", "ghi"} {
		n, err := h.Write([]byte(s))
		require.NoError(t, err)
		assert.Equal(t, 3, n)
	}
	assert.Equal(t, "abcde", h.String())
}
