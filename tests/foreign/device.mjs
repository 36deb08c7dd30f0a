#!/usr/bin/env node
// Tests a server's device authorization grant (RFC 8628) with the npm package openid-client: access is allowed with a typed
// code, then denied through a link.
//
//   device.mjs ISSUER        settings: see journey.mjs
//
// Prints {ok, issuer, client_id, steps, message?} and exits with 0 only if every step passed, within 60 s.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { clientId, clientSecret, run, scope, step, user } from './journey.mjs';

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const authentication = clientSecret ? client.ClientSecretBasic(clientSecret) : client.None();

const discover = (issuer) => client.discovery(issuer, clientId, undefined, authentication, {
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
});

/** Polls like a device while the user allows or denies access. */
const whilePolling = async (config, device, decide) => {
  const [tokens] = await Promise.all([client.pollDeviceAuthorizationGrant(config, device), decide()]);
  return tokens;
};

await run(async (issuer, visitor) => {
  const config = await step('discovery', () => discover(issuer));
  const begin = () => client.initiateDeviceAuthorization(config, { scope });
  const device = await step('device authorization', begin);
  const tokens = await step('allowed by a typed code', () =>
    whilePolling(config, device, () => visitor.decide(device.verification_uri, device.user_code)));
  await step('userinfo', async () => {
    const { email } = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    assert.equal(email, user);
  });
  await step('refresh', () => client.refreshTokenGrant(config, tokens.refresh_token));
  await step('used device code is refused', () => assert.rejects(
    client.genericGrantRequest(config, DEVICE_CODE, { device_code: device.device_code }),
    (error) => error.error === 'invalid_grant',
  ));
  const other = await step('second device authorization', begin);
  await step('denied by a link', () => assert.rejects(
    whilePolling(config, other, () => visitor.decide(other.verification_uri_complete, other.user_code, true)),
    (error) => error.error === 'access_denied',
  ));
});
