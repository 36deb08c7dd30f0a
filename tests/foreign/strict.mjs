#!/usr/bin/env node
// Tests a server with the npm package oauth4webapi, which checks every response against its specification.
//
//   strict.mjs ISSUER        settings: see journey.mjs
//
// Prints {ok, issuer, client_id, steps, message?} and exits with 0 only if every response was accepted, within 60 s.
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { clientId, clientSecret, extra, run, scope, step, user } from './journey.mjs';

const client = { client_id: clientId };
const authentication = clientSecret ? oauth.ClientSecretBasic(clientSecret) : oauth.None();
const http = { [oauth.allowInsecureRequests]: true };

async function discover(issuer, algorithm) {
  const response = await oauth.discoveryRequest(issuer, { ...http, algorithm });
  return oauth.processDiscoveryResponse(issuer, response);
}

async function authorizationUrl(server, redirectUri, { verifier, state, nonce }) {
  const url = new URL(server.authorization_endpoint);
  const parameters = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...extra,
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}

/** Signs in once through the browser; returns the validated callback parameters and the secrets of the request. */
async function authorize(server, visitor) {
  const request = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
  };
  const callback = await visitor.authorize(await authorizationUrl(server, visitor.redirectUri, request));
  const parameters = oauth.validateAuthResponse(server, client, callback, request.state);
  return { ...request, parameters };
}

const codeRequest = (server, visitor, { parameters }, verifier) =>
  oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, visitor.redirectUri, verifier, http);

async function exchange(server, visitor, grant) {
  const response = await codeRequest(server, visitor, grant, grant.verifier);
  const options = { expectedNonce: grant.nonce, requireIdToken: true };
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, options);
  await oauth.validateApplicationLevelSignature(server, response, http);
  return tokens;
}

async function refresh(server, token) {
  const response = await oauth.refreshTokenGrantRequest(server, client, authentication, token, http);
  const tokens = await oauth.processRefreshTokenResponse(server, client, response);
  if (tokens.id_token) await oauth.validateApplicationLevelSignature(server, response, http);
  return tokens;
}

async function introspect(server, token) {
  const response = await oauth.introspectionRequest(server, client, authentication, token, http);
  return oauth.processIntrospectionResponse(server, client, response);
}

async function revoke(server, token) {
  const response = await oauth.revocationRequest(server, client, authentication, token, http);
  return oauth.processRevocationResponse(response);
}

async function userinfo(server, accessToken, subject) {
  const response = await oauth.userInfoRequest(server, client, accessToken, http);
  return oauth.processUserInfoResponse(server, client, subject, response);
}

const isError = (code) => (error) =>
  error instanceof oauth.ResponseBodyError && error.error === code && error.status === 400;
const isInvalidGrant = isError('invalid_grant');
const isInvalidToken = (error) =>
  error instanceof oauth.WWWAuthenticateChallengeError && error.cause[0].parameters.error === 'invalid_token';

async function wrongVerifier(server, visitor) {
  const grant = await authorize(server, visitor);
  const response = await codeRequest(server, visitor, grant, oauth.generateRandomCodeVerifier());
  await assert.rejects(oauth.processAuthorizationCodeResponse(server, client, response), isInvalidGrant);
}

async function beginDevice(server) {
  const response = await oauth.deviceAuthorizationRequest(server, client, authentication, { scope }, http);
  return oauth.processDeviceAuthorizationResponse(server, client, response);
}

async function pollDevice(server, deviceCode) {
  const response = await oauth.deviceCodeGrantRequest(server, client, authentication, deviceCode, http);
  const tokens = await oauth.processDeviceCodeResponse(server, client, response);
  await oauth.validateApplicationLevelSignature(server, response, http);
  return tokens;
}

const refusesDevice = (server, deviceCode, code) => assert.rejects(pollDevice(server, deviceCode), isError(code));

async function deviceGrant(server, visitor) {
  const device = await step('device authorization', () => beginDevice(server));
  await step('device waits', () => refusesDevice(server, device.device_code, 'authorization_pending'));
  await step('device polls too fast', () => refusesDevice(server, device.device_code, 'slow_down'));
  await step('device is allowed', () => visitor.decide(device.verification_uri, device.user_code));
  const tokens = await step('device code and signature', () => pollDevice(server, device.device_code));
  await step('userinfo of the device', async () => {
    const { sub } = oauth.getValidatedIdTokenClaims(tokens);
    assert.equal((await userinfo(server, tokens.access_token, sub)).email, user);
  });
  await step('device code is used up', () => refusesDevice(server, device.device_code, 'invalid_grant'));
  await step('unknown device code', () => refusesDevice(server, 'unknown', 'invalid_grant'));
}

await run(async (issuer, visitor) => {
  const server = await step('discovery oidc', () => discover(issuer, 'oidc'));
  await step('discovery oauth2', async () => {
    const other = await discover(issuer, 'oauth2');
    assert.equal(other.token_endpoint, server.token_endpoint);
  });
  await step('iss is promised', () => assert.equal(server.authorization_response_iss_parameter_supported, true));
  const grant = await step('authorization response', () => authorize(server, visitor));
  const first = await step('code exchange and signature', () => exchange(server, visitor, grant));
  const { sub } = oauth.getValidatedIdTokenClaims(first);
  await step('userinfo', async () => assert.equal((await userinfo(server, first.access_token, sub)).email, user));
  await step('userinfo refuses a bad token', () => assert.rejects(userinfo(server, 'bad', sub), isInvalidToken));
  const second = await step('refresh', () => refresh(server, first.refresh_token));
  await step('introspection', async () => {
    const { active, client_id: holder } = await introspect(server, second.access_token);
    assert.deepEqual([active, holder], [true, clientId]);
  });
  await step('introspection of an unknown token', async () => {
    assert.deepEqual(await introspect(server, 'unknown'), { active: false });
  });
  await step('revocation', () => revoke(server, second.refresh_token));
  await step('refused after revocation', () => assert.rejects(refresh(server, second.refresh_token), isInvalidGrant));
  await step('wrong verifier', () => wrongVerifier(server, visitor));
  await deviceGrant(server, visitor);
});
