#!/usr/bin/env node
// A server's device authorization grant (RFC 8628) as the npm package openid-client sees it: allowed by a typed code,
// denied by a link.
//
//   device.mjs ISSUER        settings: see journey.mjs
//
// Prints {ok, issuer, client_id, steps, message?}; ends with 0 only if everything held, within 60 s.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { clientId, clientSecret, run, scope, step, user } from './journey.mjs';

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const authentication = clientSecret ? client.ClientSecretBasic(clientSecret) : client.None();

const discover = (issuer) => client.discovery(issuer, clientId, undefined, authentication, {
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
});

/** Polls as a device does while the person answers. */
const whilePolling = async (config, device, answer) => {
  const [tokens] = await Promise.all([client.pollDeviceAuthorizationGrant(config, device), answer()]);
  return tokens;
};

await run(async (issuer, person) => {
  const config = await step('discovery', () => discover(issuer));
  const begin = () => client.initiateDeviceAuthorization(config, { scope });
  const device = await step('device authorization', begin);
  const tokens = await step('allowed by a typed code', () =>
    whilePolling(config, device, () => person.answer(device.verification_uri, device.user_code)));
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
    whilePolling(config, other, () => person.answer(other.verification_uri_complete, other.user_code, true)),
    (error) => error.error === 'access_denied',
  ));
});
