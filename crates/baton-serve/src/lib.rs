//! Faces for programs: the MCP server.
