//! Calls of Alibaba Cloud: credentials, signatures, and the APIs that are called.
