-- Who lately chose what they sign in with by an administrator's invitation: under the invitation's id until it is taken up, then
-- under the user's. The operator's own invitations are not here.
CREATE TABLE vouchers (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
