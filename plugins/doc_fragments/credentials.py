# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options with which a user signs in. The order of the sources is decided in module_utils/_credentials.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Options and environment variables of the credentials and the project."""

    DOCUMENTATION = r"""
options:
  auth_method:
    description:
      - The one way to sign in that is looked at. When it is not given, the first source that holds a complete set is used.
      - V(token), V(access_key) and V(password) are looked for in the options and in the environment,
        V(profile), V(koocli) and V(clouds_yaml) in the profile file of the SDK, of KooCLI and of OpenStack clients.
      - V(machine) takes temporary keys of the agency of the machine on which the module runs, and is never used unless it is asked for.
      - Environment variable E(HWCLOUD_AUTH_METHOD).
    type: str
    choices: [token, access_key, password, profile, koocli, clouds_yaml, machine]
  access_key:
    description:
      - The id of an access key (AK). Needs O(secret_key). This is the recommended way to sign in, as it costs no extra request.
      - Credentials are taken from the first source that holds a complete set, and sources are never mixed. The sources are
        the options of the task, then the environment variables E(HUAWEICLOUD_SDK_*), then E(HW_*), then E(OS_*), then the
        profile files; see O(profile_file).
      - Within one source a token is preferred to an access key, and an access key to a password.
      - A source with an incomplete set is an error that says what is missing.
      - Environment variables E(HUAWEICLOUD_SDK_AK), E(HW_ACCESS_KEY), E(OS_ACCESS_KEY).
    type: str
  secret_key:
    description:
      - The secret part (SK) of O(access_key).
      - Environment variables E(HUAWEICLOUD_SDK_SK), E(HW_SECRET_KEY), E(OS_SECRET_KEY).
    type: str
  security_token:
    description:
      - Comes with temporary access keys, and is needed with them.
      - Environment variables E(HUAWEICLOUD_SDK_SECURITY_TOKEN), E(HW_SECURITY_TOKEN), E(OS_SECURITY_TOKEN).
    type: str
  auth_token:
    description:
      - A token that IAM has issued, for the project that is used.
      - Environment variables E(HW_AUTH_TOKEN), E(OS_AUTH_TOKEN).
    type: str
  username:
    description:
      - The name of an IAM user. Needs O(password), and O(domain_name) or O(domain_id).
      - Each task then signs in with one more request, unless O(token_cache) is set.
      - Environment variables E(HW_USER_NAME), E(OS_USERNAME).
    type: str
  user_id:
    description:
      - The id of an IAM user, instead of O(username) and the account to which it belongs. Needs O(password).
      - Environment variables E(HW_USER_ID), E(OS_USER_ID).
    type: str
  password:
    description:
      - The password of O(username) or O(user_id).
      - Environment variables E(HW_USER_PASSWORD), E(OS_PASSWORD).
    type: str
  passcode:
    description:
      - The passcode that the virtual MFA device of the user shows now, where signing in with a password needs one. Needs O(user_id).
      - Environment variable E(OS_PASSCODE).
    type: str
  domain_name:
    description:
      - The name of the account to which O(username) belongs.
      - Environment variables E(HW_DOMAIN_NAME), E(OS_USER_DOMAIN_NAME), E(OS_DOMAIN_NAME).
    type: str
  domain_id:
    description:
      - The id of the account to which O(username) belongs, instead of O(domain_name).
      - Environment variables E(HW_DOMAIN_ID), E(OS_USER_DOMAIN_ID), E(OS_DOMAIN_ID).
    type: str
  profile:
    description:
      - Which profile of a profile file is used. It needs O(auth_method), which says what kind of file it is.
      - With O(auth_method=profile) this is a section, C(basic) when it is not given.
      - With O(auth_method=koocli) this is the name of a profile, the one that the file calls C(current) when it is not given.
        Environment variable E(HW_PROFILE).
      - With O(auth_method=clouds_yaml) this is the name of a cloud. Environment variable E(OS_CLOUD).
    type: str
  profile_file:
    description:
      - The profile file. It needs O(auth_method), which says what kind of file it is.
      - With O(auth_method=profile) this is C(~/.huaweicloud/credentials) when it is not given.
        Environment variable E(HUAWEICLOUD_SDK_CREDENTIALS_FILE).
      - With O(auth_method=koocli) this is C(~/.hcloud/config.json) when it is not given. Environment variable E(HW_SHARED_CONFIG_FILE).
      - With O(auth_method=clouds_yaml) this is C(clouds.yaml) or C(clouds.yml) in the current folder, in C(~/.config/openstack)
        or in C(/etc/openstack) when it is not given. Environment variable E(OS_CLIENT_CONFIG_FILE).
      - Without O(auth_method), a file that one of the variables here and at O(profile) asks for comes before a file that merely exists.
    type: path
  agency_name:
    description:
      - The name of an agency to assume, with whatever credentials were found. Needs O(agency_domain_name) or O(agency_domain_id).
      - Environment variable E(HW_ASSUME_ROLE_AGENCY_NAME).
    type: str
  agency_domain_name:
    description:
      - The name of the account to which the agency belongs.
      - Environment variable E(HW_ASSUME_ROLE_DOMAIN_NAME).
    type: str
  agency_domain_id:
    description:
      - The id of the account to which the agency belongs, instead of O(agency_domain_name).
      - Environment variable E(HW_ASSUME_ROLE_DOMAIN_ID).
    type: str
  token_cache:
    description:
      - Whether the token of a sign-in with a password is kept in the cache folder of the user who runs the module, for the tasks that follow.
      - Environment variable E(HWCLOUD_TOKEN_CACHE).
    type: bool
    default: false
  project_id:
    description:
      - The id of the project. Without it the project is looked up by O(project_name) with one more request.
      - The first of the options, the environment and the profile that has the id or the name of a project decides on both.
      - Environment variables E(HUAWEICLOUD_SDK_PROJECT_ID), E(HW_PROJECT_ID), E(OS_PROJECT_ID), E(OS_TENANT_ID).
    type: str
  project_name:
    description:
      - The name by which the project is looked up when there is no O(project_id).
      - When it is not given either, this is the project that has the name of the O(region).
      - Environment variables E(HW_PROJECT_NAME), E(OS_PROJECT_NAME), E(OS_TENANT_NAME).
    type: str
"""
