-- 0001 says that users.epoch grows when all access tokens of a member must end. Nothing raises or checks it so far.

comment on column users.epoch is 'in every access token as "epoch"; reserved for ending all tokens of a member: always 0 so far, and not checked';
